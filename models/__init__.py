"""The ground floor: models, their contract and their runtime. Knows nothing of Django."""
