"""The commands, a file per noun. What a command needs is imported when it runs, so that `banyan --help` is instant."""
