"""listing-text: which policy a listing's words go against, and which words those are."""
