"""The learned order of search results: training, the model that serves, its explanation, variety and exploration."""
