"""The workloads by name: records, the queries that go with them, and which of Flowtrail's two families they are of."""

import audit
import counts
import wide
import workload

BY_NAME = {"usual": workload, "wide": wide, "counts": counts, "audit": audit}
