"""The steps every recipe shares: data, compress, evaluate, publish, report."""
