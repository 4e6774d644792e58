"""Contract tests that every solver passes; a new solver's test calls ``check_solver``."""

from nearer.testing.contract import brute_force, check_proof, check_solver, random_instance

__all__ = ["brute_force", "check_proof", "check_solver", "random_instance"]
