# SPDX-License-Identifier: MIT
"""Why there is no connection to the host, in English. Loaded only while it is shown."""

TABLE = """
wifi=Offline: no Wi-Fi
password=Offline: wrong Wi-Fi password
network=Offline: Wi-Fi network not found
address=Offline: Wi-Fi gives no address
lookup=Looking for the host, please wait
dns=Host name not found
host=Host cannot be reached
early=Certificate not valid yet
over=Host certificate has expired
name=Certificate is for another host
issuer=Certificate of an unknown issuer
refused=Host refuses our certificate
strange=Not the host: network login page?
closed=Host hangs up: certificate refused?
silent=Host does not answer
"""
