"""The lab: hosts in network namespaces, cabled to the appliance's one port, with phones on them.

network     namespaces, a switch, sockets opened inside a host
capture     what passed a host's cable, RTP put together again, speech compared bit by bit
speech      ten seconds of G.711 made here
script      sipp scenarios written as lists of steps
phones      sipp and baresip running on a host
appliance   trunkd on its host: configuration, start, provisioning, trunkctl
talker      RTP by hand, with any TTL, port or payload
media       one end of a call by hand: RTP or SRTP and RTCP, all of it kept to be compared
softphone   SIP by hand on top of it: dials, answers, holds and changes keys when a test says so
srtp        libsrtp2 called from here, crypto lines, session keys: what judges trunkd's SRTP
quickstart  what tools/quickstart does once packages are there
"""
