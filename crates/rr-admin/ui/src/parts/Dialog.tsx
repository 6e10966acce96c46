// A question or a form before the page, with everything that assistive technology needs to know of it.

import { Modal, type ModalProps } from '@mantine/core';
import { useEffect, useState } from 'react';

import styles from './parts.module.css';

type DialogProps = Pick<ModalProps, 'children' | 'closeOnEscape' | 'closeOnClickOutside' | 'size' | 'withCloseButton'> & {
  title: string;
  close: () => void;
};

export function Dialog({ close, ...props }: DialogProps) {
  useFocusReturn();
  return (
    <Modal
      opened
      onClose={close}
      closeButtonProps={{ 'aria-label': 'Close' }}
      classNames={{ title: styles.dialogTitle }}
      // Mantine writes a <header>, which outside of a section would be a second banner of the page.
      attributes={{ header: { role: 'presentation' } }}
      transitionProps={{ duration: 0 }}
      {...props}
    />
  );
}

/** When the dialog is gone, the focus is where it was; or, if that is gone as well, at the title of its card. */
function useFocusReturn() {
  const [before] = useState(() => document.activeElement);
  const [card] = useState(() => before?.closest('section'));
  useEffect(
    () => () => {
      if (before instanceof HTMLElement && before.isConnected && !before.matches(':disabled')) return before.focus();
      const title = card?.querySelector<HTMLElement>('h2, h3');
      if (!title) return;
      title.tabIndex = -1;
      title.focus();
    },
    [before, card],
  );
}
