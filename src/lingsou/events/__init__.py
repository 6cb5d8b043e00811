"""What shoppers do: the event log, the search log, their privacy, and what is counted from them."""
