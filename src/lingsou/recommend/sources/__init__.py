"""Sources of candidates, one file each; each is a `lingsou.recommend.recommender.Recommender`."""
