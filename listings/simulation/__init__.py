"""What the device and the debts save, and what they cost: one seeded stream of listings through four markets.

Texts and photos, models and rules are the real ones; sellers, views and the clock are drawn. What is assumed stands in
parameters.py, and what is left out in `LEFT_OUT`.
"""

LEFT_OUT = (
    "duplicates, look-alikes and the bank of removed photos (every text is another one, photos are reused)",
    "reading text in photos (heavy seconds of listings with photos are higher on the site)",
    "reports, appeals and mistakes of moderators",
    "photo models on drafts that are not submitted in the end, beyond one look",
)
