/** Does it for one click: the second of a double click was meant for what was here before. */
export function single(act: () => void): (event: MouseEvent) => void {
  return (event) => {
    if (event.detail < 2) act()
  }
}
