"""Why somebody works with whom, why somebody with nobody, what rules cost and which could give way."""
