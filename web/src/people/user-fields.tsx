import { Field, TextLine } from '../page/fields.tsx';
import { m } from './messages.ts';
import { Checks, sentenceOf } from './parts.tsx';
import { whoAmI, type UserDraft } from './queries.ts';
import { beyond, type Role } from './rules.ts';

interface Props {
  readonly draft: UserDraft;
  readonly roles: readonly Role[];
  readonly isNew?: boolean;
  readonly onChange: (draft: UserDraft) => void;
}

const texts = ['firstName', 'lastName', 'email'] as const;

/** Names, address and roles of a user. A role with more permissions than the current user's cannot be given. */
export function UserFields({ draft, roles, isNew = false, onChange }: Props) {
  return (
    <>
      <div className="fields">
        {isNew && (
          <TextLine
            label={m.users.username}
            hint={m.users.usernameHint}
            value={draft.username}
            isFirst
            isRequired
            onChange={(username) => onChange({ ...draft, username })}
          />
        )}
        {texts.map((name) => (
          <TextLine
            key={name}
            label={m.users[name]}
            value={draft[name]}
            onChange={(typed) => onChange({ ...draft, [name]: typed })}
          />
        ))}
        <Field label={m.people.description} isWide>
          {(id) => (
            <textarea
              id={id}
              rows={2}
              value={draft.description}
              maxLength={4000}
              onChange={({ target }) => onChange({ ...draft, description: target.value })}
            />
          )}
        </Field>
      </div>
      <Checks
        label={m.people.roles}
        hint={m.users.rolesHint}
        all={roles.map(checkOf)}
        chosen={draft.roles}
        onChange={(chosen) => onChange({ ...draft, roles: chosen })}
      />
    </>
  );
}

function checkOf({ id, name, description, permissions }: Role) {
  const missing = beyond(whoAmI(), permissions);
  return {
    key: String(id),
    name,
    hint: description || permissions.map(sentenceOf).join('; '),
    obstacle: missing.length > 0 ? m.people.beyond(missing.map(sentenceOf).join('; ')) : undefined,
  };
}
