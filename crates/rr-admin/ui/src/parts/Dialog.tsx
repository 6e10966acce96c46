// A question or a form before the page, with everything that assistive technology needs to know of it.

import { Modal, type ModalProps } from '@mantine/core';

import styles from './parts.module.css';

type DialogProps = Pick<ModalProps, 'children' | 'closeOnEscape' | 'closeOnClickOutside' | 'size' | 'withCloseButton'> & {
  title: string;
  close: () => void;
};

export function Dialog({ close, ...props }: DialogProps) {
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
