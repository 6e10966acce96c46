// A new key: first the form, then the secret, once.

import { useMutation, useQueryClient } from '@tanstack/react-query';

import { Dialog } from '../../parts/Dialog';
import { type KeyRequest, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import { useAttempt } from './attempt';
import { NewKeyForm } from './NewKeyForm';
import { Secret } from './Secret';

export function NewKeyDialog({ close }: { close: () => void }) {
  const client = useQueryClient();
  const attempt = useAttempt();
  const create = useMutation({
    // The same form sent twice is one wish: when the first answer got lost, no second key may come of it.
    mutationFn: (key: KeyRequest) => server.createKey(key, attempt(key)),
    // Also after a failure: when only the answer was lost, the key is there.
    onSettled: () => client.invalidateQueries({ queryKey: queries.keys.queryKey }),
  });

  const created = create.data;
  return (
    <Dialog
      title={created ? `“${created.name}” is ready` : 'Generate New Key'}
      close={close}
      size={created ? 'lg' : 'md'}
      // A slip of the hand must not cost the secret.
      closeOnClickOutside={false}
      closeOnEscape={!created}
      withCloseButton={!created}
    >
      {created ? (
        <Secret secret={created.api_key} whenLost="revoke it and generate another" done={close} />
      ) : (
        <NewKeyForm
          submit={(key) => create.mutate(key)}
          pending={create.isPending}
          problem={create.isError ? asProblem(create.error) : null}
          cancel={close}
        />
      )}
    </Dialog>
  );
}
