"""What is seen of the gateway from outside: metrics, logs and the access record. Runs in the control process."""
