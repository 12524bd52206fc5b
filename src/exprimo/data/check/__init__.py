"""What is this file, and what is wrong with it?"""

from exprimo.data.check.report import FileReport, check, check_file

__all__ = ["FileReport", "check", "check_file"]
