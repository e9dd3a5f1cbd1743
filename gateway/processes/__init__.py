"""Two kinds of process: data carries traffic, control does everything else. A socket between them carries values."""
