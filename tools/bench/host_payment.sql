-- SPDX-License-Identifier: MIT
-- The statements of one payment at the host, for pgbench: two transactions, as the issuer is asked between them.
\set t random(1, 4)
BEGIN;
SELECT * FROM terminal WHERE tid = 'T' || :t FOR UPDATE;
INSERT INTO message (tid, class, uid, epoch, batch, stan, hash) VALUES ('T' || :t, 'request', gen_random_uuid(), 1, '000001', '000001', repeat('0', 64));
INSERT INTO link VALUES ('T' || :t, 1, (random() * 1e9)::bigint, gen_random_uuid(), repeat('0', 16), repeat('0', 16), repeat('0', 16), 'payment', 'holds');
WITH new AS (INSERT INTO payment (tid, uid, mid, number, epoch, sequence, batch, settled_in, stan, type, amount, currency, first6, last4, taken_at, header, body_hash, body_counter, worth, state, quarantined, received)
 VALUES ('T' || :t, gen_random_uuid(), 'M', (random() * 1e15)::bigint, 1, 1, '000001', '000001', '000001', '22', 100, '0156', '476173', '0011', 8e8::bigint, decode(repeat('00', 64), 'hex'), repeat('0', 64), (random() * 1e9)::bigint, 100, 'RECEIVED', 0, now()) RETURNING uid)
 SELECT uid FROM new \gset
COMMIT;
BEGIN;
SELECT * FROM payment WHERE tid = 'T' || :t AND uid = ':uid' FOR UPDATE;
UPDATE payment SET state = 'APPROVED', code = '00', rrn = '000000000000', answered = now(), day = '2026-01-01' WHERE tid = 'T' || :t AND uid = ':uid' AND state = 'RECEIVED';
INSERT INTO entry (tid, uid, account, reason, mid, amount, at, day) VALUES ('T' || :t, ':uid', 'card receivable', 'sale', 'M', 100, now(), '2026-01-01'), ('T' || :t, ':uid', 'terminal clearing', 'sale', 'M', -100, now(), '2026-01-01');
INSERT INTO balance VALUES ('T' || :t, 'M', 'card receivable', 100) ON CONFLICT (tid, mid, account) DO UPDATE SET amount = balance.amount + 100;
INSERT INTO balance VALUES ('T' || :t, 'M', 'terminal clearing', -100) ON CONFLICT (tid, mid, account) DO UPDATE SET amount = balance.amount - 100;
INSERT INTO turnover VALUES ('T' || :t, 1, '000001', '2026-01-01', '22', 'M', 1, 100) ON CONFLICT (tid, epoch, batch, day, type) DO UPDATE SET count = turnover.count + 1, worth = turnover.worth + 100;
UPDATE message SET answer = repeat('x', 300) WHERE tid = 'T' || :t AND class = 'request' AND uid = ':uid' AND answer IS NULL;
COMMIT;
