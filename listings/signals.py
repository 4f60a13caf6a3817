"""What the floors above may want to hear of."""

from django.dispatch import Signal

# Sent by ListingQuerySet.move after its transaction: listing_id, source, target.
status_changed = Signal()
