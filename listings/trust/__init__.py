"""Publishing before the heavy checks: who may, what may be seen of it meanwhile, and what that lets through.

A listing that the gate passes with margin, of a seller who is known, in a category where the gate was measured, is on
sale at once and owes its heavy checks: a debt, paid by exposure. Few people see it until the light checks are made, not
many until the heavy ones are.
"""
