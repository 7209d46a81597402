"""Section 2: an image is right only as a whole."""

from __future__ import annotations

import torch

from ganface.lecture.course import Course
from ganface.lecture.damage import quarters, shuffled
from ganface.lecture.page import Block, Section, Text
from ganface.pictures.grid import captioned

JUDGED, SHOWN = 200, 5


def structure(course: Course) -> Section:
    reals = course.pack.batch(course.strangers[:JUDGED])
    kinds = {"real": reals, "quarters": quarters(reals), "pixels": shuffled(reals)}
    logits = {name: course.opinion.logits(images) for name, images in kinds.items()}
    below = {n: (logits[n] < logits["real"]).float().mean().item() for n in ("quarters", "pixels")}
    answers = {n: course.opinion.probability(each) for n, each in logits.items()}
    texts = [f"{n}: {p:.2f}" for n, each in answers.items() for p in each[:SHOWN].tolist()]
    cells = torch.cat([images[:SHOWN] for images in kinds.values()])
    block = Block(
        Text(
            "To draw is to decide thousands of components, the pixels, that must fit together. "
            "Below, each pixel comes from a real face, from its very place, and so does each "
            "quarter; and yet only the first row are faces. G draws the components one by one; D "
            "sees the whole. In this a GAN is structured learning: G works from the bottom up, D "
            "from the top down.",
            "画一张图就是决定成千上万个分量（像素），而它们必须彼此配合。下面每个像素、"
            "每个四分之一块都来自真实人脸的同一位置，但只有第一行是脸。G 一个分量一个分量地画，D "
            "看的是整体。从这个意义上说，GAN 是一种结构化学习：G 自下而上，D 自上而下。",
        ),
        [
            course.save(
                "components",
                captioned(cells, texts, SHOWN),
                Text(
                    "Real faces; quarters of four different faces; each pixel of another face. "
                    "Below each D(x).",
                    "真实人脸；由四张不同的脸各取四分之一拼成；每个像素来自另一张脸。下面是 D(x)。",
                ),
            )
        ],
        Text(
            "D scores faces put together of quarters below the real one in "
            f"{below['quarters']:.0%} of cases, those of single pixels in {below['pixels']:.0%}.",
            f"D 给四块拼成的脸打分低于真实脸的比例为 {below['quarters']:.0%}，给逐像素拼成的为 "
            f"{below['pixels']:.0%}。",
        ),
    )
    return Section(
        Text("Components that must fit together", "彼此配合的分量"),
        Text("Is an image right if each of its pixels is?", "每个像素都对，图就对了吗？"),
        [block],
    )
