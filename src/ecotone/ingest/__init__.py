"""Deliveries: stage -> check -> commit.

``delivery``  one delivery from file to verdict, dry or into a node
``columns``   which header, in which language, means which attribute
``mapping``   saved mapping files for measurement tables, and their proposal
``convert``   text columns -> typed attributes of a noun, with findings
``values``    numbers, censored results and marks
``checks``    TDWG BDQ tests, one file per family
"""
