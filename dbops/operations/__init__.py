"""Use cases: the library's API. Each opens a Reader, inspects, decides, compiles, and hands the plan to execution."""
