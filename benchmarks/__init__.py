"""How long the main jobs take, beside other programs that do parts of them; see README.md."""
