-- Sign-ons by a provider that were begun and not finished. Only who has the secret can finish one, once; the rest that the protocol
-- needs follows from the secret.
create table sign_ons (
  secret_hash bytea primary key,
  provider text not null,
  redirect_uri text not null,
  next text,
  network text not null,
  expires_on timestamptz not null
);
create index sign_ons_network on sign_ons (network);
create index sign_ons_expired on sign_ons (expires_on);

-- Who a user is at the provider by which they sign on. It stays when the user is deleted, so that a leaver does not come in again.
create table user_identities (
  tenant_id bigint not null references tenants,
  issuer text not null,
  subject text not null,
  user_id bigint not null unique references users on delete cascade,
  provider text not null,
  primary key (tenant_id, issuer, subject)
);

-- The provider whose groups give the role, which follows them at each sign-on; none where somebody has given it by hand.
alter table user_roles add column provider text;
