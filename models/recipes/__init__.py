"""How each model is made. Nothing at run time imports from here."""
