import { Text } from '../page/text.tsx';
import css from './settings.module.css';

/** The known facts, each with its name; empty ones are left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, string])[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(
        ([name, value]) =>
          value !== '' && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Text>{value}</Text>
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}
