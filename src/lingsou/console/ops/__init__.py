"""The pages of the people who run the shop, under `/ops/`: behind a login, over the service's own parts."""
