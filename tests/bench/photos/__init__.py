"""`listing-photo` beside nsfwjs on one page, and what photos cost the server."""
