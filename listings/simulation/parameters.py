"""Everything that the simulation assumes, each with its default. Shares are 0..1, times in seconds unless named."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True)
class Parameters:
    listings: int
    seed: int

    # --- Who sells what -----------------------------------------------------------------------------------------------
    # So many listings for each counted one came before the counted days: trust and cells are earned by them, by the
    # same rules. 0: the market opens on the first counted day.
    earlier: float = 0.5
    earlier_days: float = 60.0
    days: float = 30.0
    listings_per_seller: float = 30.0  # mean over both
    tail: float = 1.1  # exponent of the Pareto law of a seller's activity
    most_active: float = 200.0  # times the least active
    categories: int = 5
    at_home: float = 0.9  # share of a seller's listings in their own category
    photo_share: float = 0.3  # the others are text alone
    unsafe_share: float = 0.03  # of all listings
    careless_sellers: float = 0.15  # of sellers: honest, and theirs is what honest merchants offer and may not
    forging_sellers: float = 0.02  # of sellers: their claims say that the device found nothing
    redteam_sellers: float = 0.01  # of sellers: they rewrite until the public model passes
    unsafe_of_dishonest: float = 0.3  # of their listings; the others build trust
    redteam_budget: int = 30  # runs of the public model a listing

    # --- What the merchant does ---------------------------------------------------------------------------------------
    obey: float = 0.75  # of warnings, by honest merchants: drops what is forbidden, rewrites what is not
    rewrites: int = 2  # at most, then a person is asked
    signs_per_second: float = 3.0
    signs_per_pause: float = 40.0  # mean length of what is typed between two pauses
    pause_seconds: float = 2.0
    rewrite_seconds: float = 30.0
    after_refusal: float = HOUR  # until a listing comes back with its contact details taken out

    # --- Who looks at it ----------------------------------------------------------------------------------------------
    views: float = 100.0  # mean of a listing's life (settings.REDTEAM_VIEWS_PER_LISTING)
    views_sigma: float = 1.5  # of the log-normal law
    most_views: int = 5_000
    life_days: float = 14.0  # mean until it is sold or withdrawn, exponential
    sold: float = 0.5  # of those that end; a sale handed over earns trust
    freshness: float = 1.5  # views come at life x u^freshness: more of them early

    # --- Machines and people ------------------------------------------------------------------------------------------
    light_seconds: float = 1.0  # from submit until the light checks are made
    heavy_seconds: float = 3.0  # until the heavy ones are; on the clock of the simulation
    idle_seconds: float = 15.0  # how often idle workers are given debts
    moderator_hours: float = 4.0  # median, log-normal
    moderator_sigma: float = 0.8
    round_trip_ms: float = 80.0
    queue_ms: float = 50.0
    device_slowdown: float = 3.0  # times the run time measured here, one thread
    request_bytes: int = 500  # headers of a request

    # --- Scenarios ----------------------------------------------------------------------------------------------------
    rush: int = 300  # views that every listing gets within the hour without workers
    # A seller who earned trust honestly, or bought the account, and then sends what is forbidden (turncoats.py).
    turncoat_earns: int = 14  # harmless listings before, one a day
    turncoat_sends: int = 25  # forbidden ones
    turncoat_seconds: float = 0.5  # between two of them: a script
    turncoat_views: float = 400.0  # of each, on its first day
    turncoat_tries: int = 1_000  # texts among which those are sought that the gate passes with margin
    resamples: int = 2_000
