"""Sample arguments for every public formula: one module a topic, named like the topic."""
