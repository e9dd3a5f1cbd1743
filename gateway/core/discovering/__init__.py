"""Which endpoints there are behind a catch-all route, learned from its traffic.

A `Learner` is told of each request; what it has counted is taken as rows of `Endpoint`, which are stored and added up;
`merged` reads them all together, and `proposals` writes them as routes.
"""

from gateway.core.discovering.endpoints import Endpoint as Endpoint
from gateway.core.discovering.endpoints import merged as merged
from gateway.core.discovering.learning import Learner as Learner
from gateway.core.discovering.proposing import proposals as proposals
