import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { deviceName } from '../page/device-name.ts';
import { Text } from '../page/text.tsx';
import { devicesQuery } from './queries.ts';

interface Props {
  readonly id: Id;
  /** Its name, where the answer had it beside the id; otherwise it is looked for among the devices that the user may see. */
  readonly name?: string | undefined;
}

/** A link to a device by its name, or by its id where the name is not known. */
export function DeviceLink({ id, name }: Props) {
  const { data } = useQuery({ ...devicesQuery(), enabled: name === undefined });
  const device = data?.list.find((one) => String(one.id) === String(id));
  return (
    <Link to="/devices/$id" params={{ id: String(id) }} onClick={(event) => event.stopPropagation()}>
      <Text>{name ?? (device ? deviceName(device) : String(id))}</Text>
    </Link>
  );
}
