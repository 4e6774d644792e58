"""What others read: tables, and the open standards of supply chains, humanitarian data and service directories."""
