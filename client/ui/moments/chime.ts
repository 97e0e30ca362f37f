import { preferences } from '../../device/preferences.svelte.ts'

/** Two soft notes each, in hertz. */
const notes = { timer: [659, 523], nudge: [523, 784] } as const

/** Plays only for those who switched sounds on, and where the browser lets a page play. */
export function chime(kind: keyof typeof notes): void {
  if (!preferences.sound || !('AudioContext' in globalThis)) return
  const context = new AudioContext()
  notes[kind].forEach((frequency, at) => {
    const starts = context.currentTime + at * 0.22
    const oscillator = new OscillatorNode(context, { type: 'sine', frequency })
    const volume = new GainNode(context, { gain: 0 })
    volume.gain.setTargetAtTime(0.12, starts, 0.015)
    volume.gain.setTargetAtTime(0, starts + 0.12, 0.09)
    oscillator.connect(volume).connect(context.destination)
    oscillator.start(starts)
    oscillator.stop(starts + 0.6)
    if (at === notes[kind].length - 1) oscillator.onended = () => void context.close()
  })
}
