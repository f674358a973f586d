// SPDX-License-Identifier: MIT
// The 320x240 display. Bands of RGB565 rows update a picture of that size, which is enlarged threefold without blur;
// the browser then scales it down to the size of the glass.
const WIDTH = 320, HEIGHT = 240;
const glass = document.getElementById("display").getContext("2d", { alpha: false });
const small = new OffscreenCanvas(WIDTH, HEIGHT);
const memory = small.getContext("2d", { alpha: false });
const picture = memory.createImageData(WIDTH, HEIGHT);
const rgba = new Uint32Array(picture.data.buffer);
let frame = 0;

/** Draw a band: first row, number of rows, pixels with the high byte first. */
export function band(bytes) {
  let at = bytes[0] * WIDTH;
  for (let i = 2; i < bytes.length; i += 2) {
    const high = bytes[i], low = bytes[i + 1];
    const red = high & 0xf8, green = ((high & 7) << 5) | ((low & 0xe0) >> 3), blue = (low & 0x1f) << 3;
    rgba[at++] = 0xff000000 | ((blue | (blue >> 5)) << 16) | ((green | (green >> 6)) << 8) | (red | (red >> 5));
  }
  frame ||= requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  memory.putImageData(picture, 0, 0);
  glass.imageSmoothingEnabled = false;
  glass.drawImage(small, 0, 0, glass.canvas.width, glass.canvas.height);
}

/** Put the display's text where screen readers find it. */
export function readAloud(lines) {
  document.getElementById("screen-text").textContent = lines.map((line) => line.replace(/\{\w+\}/g, "").trim()).join("\n");
}
