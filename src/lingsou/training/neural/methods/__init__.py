"""Which weights move, one file for each way that `peft` lacks."""
