"""How an estimator is scored: small objects that travel to child processes as they are."""
