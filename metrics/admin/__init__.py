from metrics.admin import activity, job_run, occupancy

__all__ = ["activity", "job_run", "occupancy"]
