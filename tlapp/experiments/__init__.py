"""One question, several trainings: which way is best, what goes wrong, which rate to take."""
