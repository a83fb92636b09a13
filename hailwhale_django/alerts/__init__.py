"""What hailwhale watches by itself, and whom it tells."""
