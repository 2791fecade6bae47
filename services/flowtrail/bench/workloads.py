"""The workloads by name: records and the queries that go with them."""

import wide
import workload

BY_NAME = {"usual": workload, "wide": wide}
