from metrics.models.activity import Activity
from metrics.models.job_run import JobRun
from metrics.models.occupancy import Occupancy

__all__ = ["Activity", "JobRun", "Occupancy"]
