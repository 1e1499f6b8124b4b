-- What people ask about who ask why nothing moves: who claims from a queue by themselves, and what waits for a time.

create table queue_claims (
  queue_id bigint primary key references queues on delete cascade,
  -- When claimWorkItems was last called, to within some seconds.
  asked_on timestamptz not null
) with (fillfactor = 50);
