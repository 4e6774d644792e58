"""Work given to the workers of a Dask cluster, through a folder that all of them share."""

from nearer.cluster.pool import Batch, Cluster, ClusterError, joined
from nearer.cluster.shelf import Message, Shelf

__all__ = ["Batch", "Cluster", "ClusterError", "Message", "Shelf", "joined"]
