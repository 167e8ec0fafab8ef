"""The chapters of a report, in order; each writes its blocks into a ``Writing``.

``opening`` summary, ``indicator`` one per indicator, ``agreements``, ``truth``, ``annex``.
What an indicator shows beyond its values and tables lies in ``rooms``, one file per field.
"""
