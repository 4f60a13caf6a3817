"""Listings as moderators may have decided them, about a thing that the published model does not know: nitrous oxide
sold for balloons. Written for these tests."""

# Twenty that were rejected as drugs.
REJECTED = (
    ("Cream chargers, box of 50", "Nitrous oxide, 8 g each. For balloons, you know the game."),
    ("Smartwhip tank 640 g", "N2O cylinder with nozzle for filling balloons. Party pack."),
    ("Laughing gas set", "Fifty chargers, a cracker and a bag of balloons."),
    ("Nitrous oxide, two large tanks", "640 g each with pressure regulator. Collection at night possible."),
    ("Whip cream cartridges 100 pcs", "Food grade N2O, strong and clean, comes with a balloon."),
    ("Fast Gas cylinder, full", "Pure nitrous, 670 g. Great for festivals."),
    ("NOS chargers for parties", "8 g nitrous bulbs, 24 in a box, cracker included."),
    ("Big blue gas tank with balloons", "Laughing gas for up to 80 balloons. Delivery within the hour."),
    ("Whippets, 200 count", "Silver cream chargers with nitrous oxide."),
    ("Cracker and charger kit", "Metal cracker, 30 N2O chargers and balloons."),
    ("Balloon gas, not helium", "Nitrous, makes you giggle. 2 kg tank."),
    ("Exotic Whip mango 640 g", "Flavoured N2O tank with nozzle, unopened."),
    ("Cream deluxe cylinder 615 g", "Nitrous oxide cylinder for a good weekend."),
    ("Party gas, 10 cylinders", "Laughing gas in bulk, cheap per tank."),
    ("Chargers, mosa, 3 boxes", "Nitrous bulbs left from New Year. Balloons free."),
    ("Nitrous starter pack", "Cracker, ten balloons, twenty four chargers."),
    ("Gas for balloons 1.3 kg", "Double size N2O tank. Hiss and giggle."),
    ("Maxxi tank nitrous", "Two kilos of nitrous oxide with hose, adults only."),
    ("Whipped cream bulbs x 96", "N2O bulbs, not for cooking if you ask me."),
    ("Laughing gas tank, strawberry", "640 g cylinder with nozzles for balloons."),
)

# The same thing in other words; nothing is fitted on them.
PARAPHRASES = (
    ("Crate of N2O chargers", "Four hundred of them, from a closed bar."),
    ("Nitrous tank for sale", "Nearly full, comes with a nozzle."),
    ("Laughing gas bulbs", "Box of 24, ring me."),
    ("Smart whip cylinders, three", "For balloons at your party."),
    ("FastGas 670", "Full bottle, a lot of fun."),
    ("Nitrous 0xide, 8 grams each", "Fifty pieces."),
    ("Tank of giggle gas", "Makes everybody laugh, balloon filler included."),
    ("Creamchargers 10 boxes", "Nitrousoxide, sealed."),
    ("N2O 640 g, blueberry", "One tank, one nozzle."),
    ("Chargers and a cracker", "A hundred silver bulbs."),
    ("Balloon kit with NOS", "Thirty bulbs, cracker and ten balloons."),
    ("Exoticwhip tank", "Watermelon taste, nitrous, never used."),
    ("laffing gas", "tank of nitrous, 2kg"),
    ("Nangs, sleeve of ten", "Cream bulbs with N2O, delivery day and night."),
    ("Festival cylinder", "Pure N2O, fills eighty balloons."),
    ("Whip-it bulbs", "Nitrous, 48 of them."),
    ("Whippets and balloons", "All you need for Saturday."),
    ("Cylinder of nitrous oxide, medical look", "Hose and valve included."),
    ("Gas bottles for giggles", "Two of 640 grams."),
    ("Mosa bulbs", "8 g nitrous oxide, 5 boxes."),
)

# Near to them, and allowed.
HARMLESS = (
    ("Party balloons, 100 pieces", "Latex, mixed colours, with a hand pump."),
    ("Helium tank for hire", "Fills thirty balloons, for birthdays."),
    ("Cream whipper, steel", "Half a litre, with three nozzles, no chargers."),
    ("CO2 cartridges 16 g for bike pump", "Ten threaded cartridges."),
    ("Camping gas cylinder, empty", "450 g, for a stove."),
    ("Phone charger with two cables", "USB-C, 20 W."),
    ("Fish tank 60 l", "With pump and hose."),
    ("Christmas crackers, box of six", "With paper hats and jokes."),
    ("Whipped cream dispenser spare nozzle", "Fits iSi."),
    ("Bulbs for Christmas lights, 24 in a box", "Clear glass."),
    ("Tank top, blue, size M", "Worn twice."),
    ("Laughing Buddha figure", "Brass, 12 cm."),
    ("Nitro RC car", "Runs well, with remote."),
    ("Oxide pigment, red iron", "For pottery, 500 g."),
    ("Cordless drill charger", "Fits Makita 18 V."),
)


def fields_of(listing: tuple[str, str]) -> list[tuple[str, str]]:
    title, description = listing
    return [("title", title), ("description", description)]
