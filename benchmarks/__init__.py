"""What hailwhale costs, measured against its peers in the same run: see README.md."""
