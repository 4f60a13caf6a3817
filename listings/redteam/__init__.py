"""Made-up dishonest sellers rewrite forbidden listings until the checks let them through: how far do they get?"""
