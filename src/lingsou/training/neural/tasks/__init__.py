"""One file a task: its batches, head, loss and metrics."""
