"""listing-text beside Transformers.js with MiniLM q8: on one page, in one run, in turns."""
